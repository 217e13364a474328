// A receiver of Hazardcast's alerts in one file, with nothing of Hazardcast but the trust store.
//
//     node receiver.mjs TRUSTSTORE [GROUP:PORT [INTERFACE_ADDRESS]]
//
// Needs Node 18 and none but its own modules. A line for each version of an alert and for each
// heartbeat; what is not believed is a line `REFUSED reason` on the standard error.

import { createPublicKey, verify } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";

const LONGEST = 1400;
const WINDOW = 1024;
const MAX_AGE_S = 2.0;
const MAX_FUTURE_S = 0.25;
const MOST_EVENTS = 1024;

/** This datagram is not believed; says why. */
class Refused extends Error {}

function unb64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new Refused("shape");
  return Buffer.from(text, "base64url");
}

function jsonObject(bytes) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Refused("shape");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refused("shape");
  return value;
}

function whole(value) {
  if (!Number.isSafeInteger(value) || value < 0) throw new Refused("schema");
  return value;
}

function number(value) {
  if (typeof value !== "number") throw new Refused("schema");
  return value;
}

/** A text of one line, fit to be shown. */
function word(value) {
  if (typeof value !== "string" || /[\p{C}\p{Zl}\p{Zp}]/u.test(value)) throw new Refused("schema");
  return value;
}

function inner(value) {
  if (typeof value !== "object" || value === null) throw new Refused("schema");
  return value;
}

/** The keys of truststore.json: key id → {station, key}. */
class Trust {
  constructor(path) {
    this.keys = new Map();
    for (const { kid, station, state, jwk } of JSON.parse(readFileSync(path, "utf-8")).keys) {
      if (state === "revoked" || jwk.crv !== "Ed25519") continue;
      const { kty, crv, x } = jwk;
      this.keys.set(kid, { station, key: createPublicKey({ key: { kty, crv, x }, format: "jwk" }) });
    }
  }

  /** The station that signed `datagram`, and what it signed. */
  open(datagram) {
    if (datagram.length > LONGEST) throw new Refused("size");
    const parts = datagram.toString("latin1").split(".");
    if (parts.length !== 3) throw new Refused("shape");
    const header = jsonObject(unb64url(parts[0]));
    if (header.typ !== "hazardcast+jws" || "crit" in header) throw new Refused("shape");
    const trusted = this.keys.get(header.kid);
    if (trusted === undefined) throw new Refused("key");
    // The key says which algorithm, not the datagram.
    if (header.alg !== "EdDSA" && header.alg !== "Ed25519") throw new Refused("algorithm");
    const signed = Buffer.from(`${parts[0]}.${parts[1]}`, "latin1");
    if (!verify(null, signed, trusted.key, unb64url(parts[2]))) throw new Refused("signature");
    return { signer: trusted.station, data: jsonObject(unb64url(parts[1])) };
  }
}

/** What was heard of one station: its newest epoch, and the newest 1024 numbers in it. */
class Station {
  epoch = -1;
  highest = -1;
  taken = new Array(WINDOW).fill(-1);

  check(epoch, seq) {
    if (epoch < this.epoch) throw new Refused("epoch");
    if (epoch > this.epoch) return;
    if (seq <= this.highest - WINDOW || this.taken[seq % WINDOW] === seq) throw new Refused("replay");
  }

  take(epoch, seq) {
    if (epoch > this.epoch) {
      this.epoch = epoch;
      this.highest = -1;
      this.taken.fill(-1);
    }
    this.taken[seq % WINDOW] = seq;
    this.highest = Math.max(this.highest, seq);
  }
}

/** Believes what is signed, new and fresh. */
class Receiver {
  stations = new Map();
  events = new Map();

  constructor(trust) {
    this.trust = trust;
  }

  /** What to show of a datagram received at `now` (epoch seconds), null if that is known. */
  hear(datagram, now) {
    const { signer, data } = this.trust.open(datagram);
    if (data.v !== 1 || whole(data.station) !== signer) throw new Refused("station");
    const [epoch, seq, sent] = [whole(data.epoch), whole(data.seq), number(data.tx)];
    if (!this.stations.has(signer)) this.stations.set(signer, new Station());
    const station = this.stations.get(signer);
    station.check(epoch, seq);
    if (now - sent > MAX_AGE_S) throw new Refused("stale");
    if (now - sent < -MAX_FUTURE_S) throw new Refused("future");
    station.take(epoch, seq); // only now: nothing that was refused has changed anything
    if (word(data.kind) === "alert") return this.#alert(signer, sent, inner(data.alert));
    const beat = inner(data.heartbeat);
    return `HEARTBEAT ${word(beat.state)}, ${whole(beat.active_count)} in force, station ${signer}`;
  }

  #alert(station, sent, alert) {
    const [id, status] = [word(alert.event_id), word(alert.status)];
    const over = status === "cancel" || status === "negate";
    const [began, holds, time] = [
      number(alert.detection_time), whole(alert.validity_duration_s), number(alert.reference_time),
    ];
    const event = `${station} ${id}`;
    const known = this.events.get(event) ?? { time: -1, over: false };
    const isLater = time > known.time || (time === known.time && over && !known.over);
    if (!isLater) return null; // a copy, or a version that a later one overtook
    if (!over && sent >= began + holds) return null;
    this.events.delete(event);
    this.events.set(event, { time, over });
    if (this.events.size > MOST_EVENTS) this.events.delete(this.events.keys().next().value);
    const place = `${number(alert.lat).toFixed(5)},${number(alert.lon).toFixed(5)}`;
    return (
      `ALERT ${alert.test === true ? "TEST " : ""}${status} ${word(alert.type)} ${word(alert.severity)} ${id} ` +
      `at ${place} within ${whole(alert.awareness_distance_m)} m, holds ${holds} s from ${began.toFixed(3)}`
    );
  }
}

const [truststore, place = "239.20.20.20:5520", face = "0.0.0.0"] = process.argv.slice(2);
const [group, port] = place.split(":");
const receiver = new Receiver(new Trust(truststore));
const socket = createSocket({ type: "udp4", reuseAddr: true });
socket.on("message", (datagram) => {
  try {
    const line = receiver.hear(datagram, Date.now() / 1000);
    if (line) console.log(line);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(`REFUSED ${error.message}`);
  }
});
socket.bind({ port: Number(port), address: group }, () => socket.addMembership(group, face));
