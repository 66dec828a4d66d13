"""The local server: OpenAI's protocol on loopback, a queue of jobs, chats."""
