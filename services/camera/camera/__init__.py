"""Streams what is not a network camera (drawn scene, file, USB device) as one."""
