"""The policy: what the data is meant to be, where it is, how strict each rule is."""
