"""VASP for the tests: a stand-in behind mock-vasp, POTCARs without content, the engine's inputs."""
