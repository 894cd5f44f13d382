"""What every writer of protobuf's wire format needs."""


def varint(number):
    """A number of 0 or more in base 128, the lowest seven bits first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
