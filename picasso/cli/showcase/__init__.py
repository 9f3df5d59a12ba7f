"""What ``picasso demo`` shows: its clips, detectors, tracker, look, and the sheet that sums it up."""
