def endpoints(p): raise NotImplementedError
