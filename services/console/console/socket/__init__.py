"""One WebSocket a tab: events, states, detections, and the media that the page asks for."""
