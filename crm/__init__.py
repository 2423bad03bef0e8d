"""Customer base and sales: accounts, contacts, leads, requests, deals, products, quotes."""
