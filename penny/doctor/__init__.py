"""`penny doctor`: is everything there that the settings name, and does it answer as it should?"""
