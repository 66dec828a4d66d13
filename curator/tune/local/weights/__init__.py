"""What the weights of a job are made of, by method, and their form for llama.cpp."""
