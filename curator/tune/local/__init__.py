"""This computer as a training target: a loopback server of the OpenAI protocol and one process per job."""
