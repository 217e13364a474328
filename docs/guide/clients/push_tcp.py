"""Push pictures over plain TCP: push_tcp.py HOST PORT CAMERA TOKEN_FILE SOURCE (a file, or 0)."""

import pathlib
import socket
import sys

import cv2

host, port, camera, token_file, source = sys.argv[1:]
token = pathlib.Path(token_file).read_text().strip()
capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
with socket.create_connection((host, int(port))) as client:
    head = f"POST /push/{camera} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
    client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    while (picture := capture.read()[1]) is not None:
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        client.sendall(f"{len(jpeg):x}\r\n".encode() + jpeg + b"\r\n")  # its length, then the JPEG
    client.sendall(b"0\r\n\r\n")
    print(client.recv(4096).decode().splitlines()[0])
