"""What the tests stand on: real programs on free loopback ports, and clients that know nothing of their insides."""
