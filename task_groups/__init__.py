"""The Invoke namespaces, one module each: parse, call core, print."""
