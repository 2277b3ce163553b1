"""What is said back: texts from templates, and speech from texts.

This room knows no model: engines that speak are adapters, one file each.
"""
