"""One decode pass over every clip: detections and slot episodes."""
