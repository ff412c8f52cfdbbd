"""Files that say what an address is: country, autonomous system, city, cloud, Tor exit, hosting."""
