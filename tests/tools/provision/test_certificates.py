from __future__ import annotations

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from hazardcast_tools.provision import certificates

NOW = 1_800_000_000.0
DAY_S = 86_400
NAMES = ("mosquitto", "broker.example", "192.0.2.1")


def test_a_server_is_trusted_through_the_authority_by_each_of_its_names() -> None:
    authority = certificates.make_authority("authority", now=NOW)
    server = certificates.make_server(NAMES, authority, now=NOW)
    roots = Store([x509.load_pem_x509_certificate(authority.certificate.encode())])
    loaded = x509.load_pem_x509_certificate(server.certificate.encode())
    verifier = PolicyBuilder().store(roots).time(loaded.not_valid_before_utc)

    chain = verifier.build_server_verifier(x509.DNSName("broker.example")).verify(loaded, [])

    assert len(chain) == 2
    assert certificates.serves(server.certificate, NAMES, now=NOW)


def test_a_certificate_is_renewed_before_it_ends_and_when_names_change() -> None:
    authority = certificates.make_authority("authority", now=NOW)
    server = certificates.make_server(NAMES, authority, now=NOW).certificate

    assert not certificates.serves(server, NAMES, now=NOW + 340 * DAY_S)
    assert not certificates.serves(server, (*NAMES, "new.example"), now=NOW)
    assert not certificates.serves("", NAMES, now=NOW)
