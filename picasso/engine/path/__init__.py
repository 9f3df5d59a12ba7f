"""The way of a frame: gate, route, surfaces, drawing, encoder, callbacks."""
