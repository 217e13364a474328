"""The bare limit of the alert path: the same hops with paho and sockets, and none of our work.

`python -m benchmarks.bare_relay send PORT GROUP UDP_PORT` subscribes to `v2x/alert` and sends each
payload as a datagram; `… receive GROUP UDP_PORT` prints each datagram as a line.
"""

from __future__ import annotations

import socket
import struct
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

LOOPBACK = socket.inet_aton("127.0.0.1")


def send(port: int, group: str, udp_port: int) -> None:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LOOPBACK)
    client = mqtt.Client(CallbackAPIVersion.VERSION2)

    def subscribe(*_: object) -> None:
        client.subscribe("v2x/alert", 1)

    def relay(_client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        sender.sendto(message.payload, (group, udp_port))

    client.on_connect = subscribe
    client.on_message = relay
    client.connect("127.0.0.1", port)
    client.loop_forever()


def receive(group: str, udp_port: int) -> None:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    receiver.bind((group, udp_port))
    membership = struct.pack("4s4s", socket.inet_aton(group), LOOPBACK)
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    while True:
        sys.stdout.write(receiver.recv(65_536).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        receive(sys.argv[2], int(sys.argv[3]))
