"""File operations for footage, and the disks it is stored on."""
