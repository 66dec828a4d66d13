"""From stored conversations to validated files, published whole or not at all."""
