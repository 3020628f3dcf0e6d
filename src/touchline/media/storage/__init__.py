"""File operations of footage, and the disks it lies on."""
