"""When runs that go on are good enough, and which go on."""
