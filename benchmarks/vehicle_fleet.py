"""200 vehicles' receivers on one host, each judging every datagram itself: who misses anything?"""

from __future__ import annotations

import time

from benchmarks.harness import Figure
from benchmarks.reporter import incident, publisher
from benchmarks.station import GROUP, Helper, on_air

PROCESSES = 4
EARS_EACH = 50
ALERTS = 10
EVERY_S = 2.0


def run() -> list[Figure]:
    with on_air() as station:
        truststore = station.data / "keys" / "truststore.json"
        fleet = [
            Helper("receivers", GROUP, station.udp_port, truststore, EARS_EACH)
            for _ in range(PROCESSES)
        ]
        client = publisher(station.mqtt_port)
        for index in range(ALERTS):
            client.publish("v2x/alert", incident(index, ALERTS), qos=1)
            time.sleep(EVERY_S)
        time.sleep(1.0)
        found = [helper.findings() for helper in fleet]
        client.disconnect()
        client.loop_stop()
    total = {name: sum(each[name] for each in found) for name in found[0]}
    total["shown_least"] = min(each["shown_least"] for each in found)
    reception = total["unique"] / total["expected"]
    met = reception == 1.0 and total["shown_least"] == ALERTS
    name = f"reception of {PROCESSES * EARS_EACH} vehicles on one host"
    return [Figure(name, "of datagrams", reception, None, "1, every alert shown", met, total)]


if __name__ == "__main__":
    for figure in run():
        print(figure)
