"""IMM and MNS on one loopback port: the cloud of the demo and of the tests. Imports none of the client's code."""
