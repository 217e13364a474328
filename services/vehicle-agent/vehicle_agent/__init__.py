"""Hears alerts for one vehicle, believes the genuine ones, shows them and acts on them."""
