"""`flooder.py GROUP PORT SECONDS RATE KIND`: garbage, as fast as asked or as it can; prints how much.

KIND `noise` looks like nothing; `jws` is well-formed, with a key id of nobody's; anything else is a key id
that is used for real.
"""

from __future__ import annotations

import base64
import json
import random
import socket
import sys
import time

group, port = sys.argv[1], int(sys.argv[2])
seconds, rate_per_s, kind = float(sys.argv[3]), float(sys.argv[4]), sys.argv[5]


def part(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def lookalike(number: int) -> bytes:
    kid = f"{number % 7:08x}" if kind == "jws" else kind
    header = f'{{"alg":"EdDSA","kid":"{kid}","typ":"hazardcast+jws"}}'.encode()
    header = base64.urlsafe_b64encode(header).rstrip(b"=")
    payload = part({"station": 4097, "epoch": 2**40, "seq": number, "tx": 1.0, "pad": "x" * 500})
    return header + b"." + payload + b"." + b"A" * 86


texts = [
    random.randbytes(random.randint(1, 1400)) if kind == "noise" else lookalike(n)
    for n in range(100)
]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
sender.connect((group, port))
started, sent = time.monotonic(), 0
while (passed := time.monotonic() - started) < seconds:
    for text in texts:
        try:
            sender.send(text)
        except OSError:
            continue
        sent += 1
    if sent > rate_per_s * passed:
        time.sleep(0.001)
print(sent / (time.monotonic() - started), flush=True)
