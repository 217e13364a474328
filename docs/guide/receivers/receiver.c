/* A receiver of Hazardcast's alerts in one file, with nothing of Hazardcast but the trust store.
 *
 *     cc -O2 -Wall -Wextra -o receiver receiver.c -lcrypto
 *     ./receiver TRUSTSTORE [GROUP:PORT [INTERFACE_ADDRESS]]
 *
 * Needs POSIX and OpenSSL 1.1.1 or newer (libcrypto). A line for each version of an alert and for each
 * heartbeat; what is not believed is a line `REFUSED reason` on the standard error.
 */
#define _DEFAULT_SOURCE /* struct ip_mreq */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LONGEST 1400
#define WINDOW 1024
#define MOST_KEYS 64
#define MOST_EVENTS 1024
#define NAME 64 /* ids and words, with their end */
#define DEEPEST 16
static const double MAX_AGE_S = 2.0, MAX_FUTURE_S = 0.25;

/* ---- JSON: just enough to find a member of an object, its bounds checked at every step ---- */

typedef struct { const char *at, *end; } text;

static const char *blank(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

static const char *past_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < ' ') return NULL;
        if (*at == '\\' && ++at >= end) return NULL;
    }
    return at < end ? at + 1 : NULL;
}

/* Behind the value that begins at `at`, NULL where there is none. */
static const char *past_value(const char *at, const char *end, int depth) {
    if (at >= end || depth > DEEPEST) return NULL;
    if (*at == '"') return past_string(at, end);
    if (*at != '{' && *at != '[') {
        const char *from = at;
        while (at < end && !strchr(" \t\n\r,:]}[{\"", *at)) at++;
        return at > from ? at : NULL;
    }
    char closing = *at == '{' ? '}' : ']';
    at = blank(at + 1, end);
    if (at < end && *at == closing) return at + 1;
    for (;;) {
        if (closing == '}') {
            if (at >= end || *at != '"' || !(at = past_string(at, end))) return NULL;
            at = blank(at, end);
            if (at >= end || *at != ':') return NULL;
            at = blank(at + 1, end);
        }
        if (!(at = past_value(at, end, depth + 1))) return NULL;
        at = blank(at, end);
        if (at < end && *at == closing) return at + 1;
        if (at >= end || *at != ',') return NULL;
        at = blank(at + 1, end);
    }
}

/* Whether the whole of `json` is one value of the kind that begins with `first`. */
static bool is_one(text json, char first) {
    const char *at = blank(json.at, json.end);
    if (at >= json.end || *at != first || !(at = past_value(at, json.end, 0))) return false;
    return blank(at, json.end) == json.end;
}

/* The next member of an object or item of a list; `*at` begins behind the opening bracket. */
static bool next(const char **at, const char *end, bool named, text *name, text *value) {
    *at = blank(*at, end);
    if (*at < end && **at == ',') *at = blank(*at + 1, end);
    if (*at >= end || **at == '}' || **at == ']') return false;
    if (named) {
        name->at = *at + 1;
        *at = past_string(*at, end);
        name->end = *at - 1;
        *at = blank(blank(*at, end) + 1, end); /* the colon; is_one() has seen it */
    }
    value->at = *at;
    *at = value->end = past_value(*at, end, 0);
    return true;
}

/* The member `wanted` of an object that is_one(); the last, where it stands twice. */
static bool member(text object, const char *wanted, text *value) {
    const char *at = blank(object.at, object.end) + 1;
    text name = {0}, one;
    bool found = false;
    while (next(&at, object.end, true, &name, &one)) {
        size_t length = (size_t)(name.end - name.at);
        if (length == strlen(wanted) && !memcmp(name.at, wanted, length)) {
            *value = one;
            found = true;
        }
    }
    return found;
}

static bool inner(text object, const char *name, text *value) {
    return member(object, name, value) && is_one(*value, '{');
}

/* A text of at most NAME - 1 characters of printable ASCII: more no id and no word of ours has. */
static bool word(text object, const char *name, char *into) {
    text value;
    if (!member(object, name, &value) || *value.at != '"') return false;
    size_t length = (size_t)(value.end - value.at) - 2;
    if (length >= NAME) return false;
    for (size_t i = 0; i < length; i++) {
        char one = value.at[1 + i];
        if (one < ' ' || one > '~' || one == '\\') return false;
    }
    memcpy(into, value.at + 1, length);
    into[length] = 0;
    return true;
}

static bool number(text object, const char *name, double *into) {
    text value;
    char digits[NAME], *end;
    if (!member(object, name, &value)) return false;
    size_t length = (size_t)(value.end - value.at);
    if (length >= sizeof digits || strspn(value.at, "+-.0123456789eE") < length) return false;
    memcpy(digits, value.at, length);
    digits[length] = 0;
    *into = strtod(digits, &end);
    return end == digits + length && isfinite(*into);
}

static bool whole(text object, const char *name, int64_t *into) {
    double value;
    if (!number(object, name, &value) || value < 0 || value >= 9007199254740992.0) return false;
    *into = (int64_t)value;
    return (double)*into == value;
}

static bool is_true(text object, const char *name) {
    text value;
    return member(object, name, &value) && value.end - value.at == 4 && !memcmp(value.at, "true", 4);
}

/* ---- The envelope: JWS in compact form, Ed25519 ---- */

/* Bytes of base64url without padding, -1 where it is none or does not fit. */
static int unb64url(text from, unsigned char *into, size_t room) {
    static const char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    int have = 0;
    size_t count = 0;
    if ((from.end - from.at) % 4 == 1) return -1;
    for (const char *at = from.at; at < from.end; at++) {
        const char *place = *at ? strchr(alphabet, *at) : NULL;
        if (!place) return -1;
        bits = bits << 6 | (uint32_t)(place - alphabet);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        if (count >= room) return -1;
        into[count++] = (unsigned char)(bits >> have);
    }
    return (int)count;
}

typedef struct { char kid[NAME]; int64_t station; EVP_PKEY *key; } trusted;
static trusted keys[MOST_KEYS];
static size_t key_count;

static bool take_key(text entry) {
    char state[NAME], curve[NAME], x[NAME];
    unsigned char raw[32];
    text jwk;
    if (key_count == MOST_KEYS || !is_one(entry, '{')) return false;
    trusted *key = &keys[key_count];
    if (!word(entry, "kid", key->kid) || !whole(entry, "station", &key->station)) return false;
    if (!word(entry, "state", state) || !inner(entry, "jwk", &jwk)) return false;
    if (!strcmp(state, "revoked") || !word(jwk, "crv", curve) || strcmp(curve, "Ed25519")) return true;
    if (!word(jwk, "x", x) || unb64url((text){x, x + strlen(x)}, raw, sizeof raw) != 32) return false;
    key->key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof raw);
    key_count += key->key != NULL;
    return key->key != NULL;
}

static bool load_truststore(const char *path) {
    static char content[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    text store = {content, content + fread(content, 1, sizeof content, file)}, list, entry;
    fclose(file);
    if (!is_one(store, '{') || !member(store, "keys", &list) || !is_one(list, '[')) return false;
    const char *at = list.at + 1;
    while (next(&at, list.end, false, NULL, &entry))
        if (!take_key(entry)) return false;
    return true;
}

static bool holds(EVP_PKEY *key, const char *signed_, size_t length, const unsigned char *signature) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature, 64, (const unsigned char *)signed_, length) == 1;
    EVP_MD_CTX_free(context);
    return valid;
}

/* What `datagram` says and who signed it; a reason where it is not believed. */
static const char *open_datagram(text datagram, unsigned char *into, text *payload, int64_t *station) {
    static unsigned char head[LONGEST];
    unsigned char signature[64];
    char type[NAME], kid[NAME], algorithm[NAME];
    size_t length = (size_t)(datagram.end - datagram.at);
    text unused;
    if (length > LONGEST) return "size";
    const char *first = memchr(datagram.at, '.', length);
    if (!first) return "shape";
    const char *second = memchr(first + 1, '.', (size_t)(datagram.end - first - 1));
    if (!second) return "shape";
    int size = unb64url((text){datagram.at, first}, head, sizeof head);
    text header = {(char *)head, (char *)head + (size > 0 ? size : 0)};
    if (!is_one(header, '{') || !word(header, "typ", type) || strcmp(type, "hazardcast+jws")) return "shape";
    if (member(header, "crit", &unused) || !word(header, "kid", kid)) return "shape";
    const trusted *key = NULL;
    for (size_t i = 0; i < key_count; i++)
        if (!strcmp(keys[i].kid, kid)) key = &keys[i];
    if (!key) return "key";
    /* The key says which algorithm, not the datagram. */
    if (!word(header, "alg", algorithm) || (strcmp(algorithm, "EdDSA") && strcmp(algorithm, "Ed25519")))
        return "algorithm";
    int bytes = unb64url((text){second + 1, datagram.end}, signature, sizeof signature);
    if (bytes != 64 || !holds(key->key, datagram.at, (size_t)(second - datagram.at), signature))
        return "signature";
    size = unb64url((text){first + 1, second}, into, LONGEST);
    *payload = (text){(char *)into, (char *)into + (size > 0 ? size : 0)};
    *station = key->station;
    return is_one(*payload, '{') ? NULL : "shape";
}

/* ---- What was heard before ---- */

typedef struct { int64_t station, epoch, highest, taken[WINDOW]; } heard;
static heard stations[MOST_KEYS];
static size_t station_count;

static void forget(heard *one, int64_t epoch) {
    one->epoch = epoch;
    one->highest = -1;
    for (size_t i = 0; i < WINDOW; i++) one->taken[i] = -1;
}

/* A trusted station's, so there are never more than keys. */
static heard *heard_of(int64_t station) {
    for (size_t i = 0; i < station_count; i++)
        if (stations[i].station == station) return &stations[i];
    heard *one = &stations[station_count++];
    one->station = station;
    forget(one, -1);
    return one;
}

static const char *check(const heard *one, int64_t epoch, int64_t seq) {
    if (epoch < one->epoch) return "epoch";
    if (epoch > one->epoch) return NULL;
    return seq <= one->highest - WINDOW || one->taken[seq % WINDOW] == seq ? "replay" : NULL;
}

static void take(heard *one, int64_t epoch, int64_t seq) {
    if (epoch > one->epoch) forget(one, epoch);
    one->taken[seq % WINDOW] = seq;
    if (seq > one->highest) one->highest = seq;
}

typedef struct { int64_t station; char id[NAME]; double time; bool over; } event;
static event events[MOST_EVENTS];
static size_t event_count; /* ever; the oldest give way */

/* Whether this version is later than what is known of its event; then it is what is known. */
static bool is_later(int64_t station, const char *id, double time, bool over) {
    size_t known = event_count < MOST_EVENTS ? event_count : MOST_EVENTS, at = 0;
    while (at < known && (events[at].station != station || strcmp(events[at].id, id))) at++;
    if (at < known) {
        if (time < events[at].time || (time == events[at].time && (!over || events[at].over))) return false;
    } else {
        at = event_count++ % MOST_EVENTS;
    }
    events[at].station = station;
    memcpy(events[at].id, id, strlen(id) + 1);
    events[at].time = time;
    events[at].over = over;
    return true;
}

/* ---- Believe what is signed, new and fresh ---- */

static const char *show_alert(int64_t station, double sent, text alert) {
    char id[NAME], status[NAME], type[NAME], severity[NAME];
    double began, time, lat, lon;
    int64_t holds_s, within_m;
    if (!word(alert, "event_id", id) || !word(alert, "status", status) || !word(alert, "type", type) ||
        !word(alert, "severity", severity) || !number(alert, "detection_time", &began) ||
        !number(alert, "reference_time", &time) || !number(alert, "lat", &lat) || !number(alert, "lon", &lon) ||
        !whole(alert, "validity_duration_s", &holds_s) || !whole(alert, "awareness_distance_m", &within_m))
        return "schema";
    bool over = !strcmp(status, "cancel") || !strcmp(status, "negate");
    if (!over && sent >= began + (double)holds_s) return NULL;
    if (!is_later(station, id, time, over)) return NULL; /* a copy, or overtaken by a later one */
    printf("ALERT %s%s %s %s %s at %.5f,%.5f within %lld m, holds %lld s from %.3f\n",
           is_true(alert, "test") ? "TEST " : "", status, type, severity, id, lat, lon,
           (long long)within_m, (long long)holds_s, began);
    return NULL;
}

static const char *show_heartbeat(int64_t station, text beat) {
    char state[NAME];
    int64_t count;
    if (!word(beat, "state", state) || !whole(beat, "active_count", &count)) return "schema";
    printf("HEARTBEAT %s, %lld in force, station %lld\n", state, (long long)count, (long long)station);
    return NULL;
}

/* Shows what `datagram`, received at `now` (epoch seconds), says; a reason where it is refused. */
static const char *hear(text datagram, double now) {
    static unsigned char room[LONGEST];
    text payload, content;
    int64_t signer, version, station, epoch, seq;
    double sent;
    char kind[NAME];
    const char *reason = open_datagram(datagram, room, &payload, &signer);
    if (reason) return reason;
    if (!whole(payload, "v", &version) || !whole(payload, "station", &station) || !whole(payload, "epoch", &epoch) ||
        !whole(payload, "seq", &seq) || !number(payload, "tx", &sent) || !word(payload, "kind", kind))
        return "schema";
    if (version != 1 || station != signer) return "station";
    heard *before = heard_of(signer);
    if ((reason = check(before, epoch, seq))) return reason;
    if (now - sent > MAX_AGE_S) return "stale";
    if (now - sent < -MAX_FUTURE_S) return "future";
    take(before, epoch, seq); /* only now: nothing that was refused has changed anything */
    if (!strcmp(kind, "alert")) return inner(payload, "alert", &content) ? show_alert(signer, sent, content) : "schema";
    return inner(payload, "heartbeat", &content) ? show_heartbeat(signer, content) : "schema";
}

static int join(const char *group, int port, const char *interface) {
    int on = 1, room = 1 << 20, ears = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct ip_mreq membership;
    if (ears < 0 || inet_pton(AF_INET, group, &place.sin_addr) != 1) return -1;
    membership.imr_multiaddr = place.sin_addr;
    if (inet_pton(AF_INET, interface, &membership.imr_interface) != 1) return -1;
    setsockopt(ears, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(ears, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(ears, (struct sockaddr *)&place, sizeof place)) return -1;
    if (setsockopt(ears, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership)) return -1;
    return ears;
}

int main(int count, char **arguments) {
    char group[INET_ADDRSTRLEN] = "239.20.20.20", datagram[2048];
    int port = 5520;
    if (count < 2 || count > 4) return fprintf(stderr, "usage: receiver TRUSTSTORE [GROUP:PORT [INTERFACE]]\n"), 2;
    if (count > 2 && sscanf(arguments[2], "%15[0-9.]:%d", group, &port) != 2)
        return fprintf(stderr, "%s: expected GROUP:PORT\n", arguments[2]), 2;
    if (!load_truststore(arguments[1])) return fprintf(stderr, "%s: not a trust store\n", arguments[1]), 2;
    int ears = join(group, port, count > 3 ? arguments[3] : "0.0.0.0");
    if (ears < 0) return fprintf(stderr, "cannot join %s:%d: %s\n", group, port, strerror(errno)), 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        ssize_t length = recv(ears, datagram, sizeof datagram, 0);
        struct timespec now;
        if (length < 0) continue;
        clock_gettime(CLOCK_REALTIME, &now);
        const char *reason = hear((text){datagram, datagram + length}, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
        if (reason) fprintf(stderr, "REFUSED %s\n", reason);
    }
}
