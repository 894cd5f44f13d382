/// Bytes in PostgreSQL's binary form (numbers most significant byte first), in one growing piece of memory.
struct BinaryWriter: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 1024) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    mutating func removeAll() { count = 0 }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    // MARK: Values without a length

    @inline(__always)
    mutating func append<Number: FixedWidthInteger>(_ value: Number) {
        reserve(MemoryLayout<Number>.size)
        memory.storeBytes(of: value.bigEndian, toByteOffset: count, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        if let base = bytes.baseAddress { (memory + count).copyMemory(from: base, byteCount: bytes.count) }
        count += bytes.count
    }

    /// UTF-8 that PostgreSQL accepts: it has no place for U+0000, so that becomes the replacement character.
    mutating func append(text: some Sequence<UInt8>) {
        for byte in text {
            if byte == 0 {
                append(UInt8(0xef))
                append(UInt8(0xbf))
                append(UInt8(0xbd))
            } else {
                append(byte)
            }
        }
    }

    // MARK: Fields: a length, then the value

    @inline(__always)
    mutating func append(field value: Int64) {
        append(Int32(8))
        append(value)
    }

    @inline(__always)
    mutating func append(field value: Int32) {
        append(Int32(4))
        append(value)
    }

    @inline(__always)
    mutating func append(field value: Bool) {
        append(Int32(1))
        append(UInt8(value ? 1 : 0))
    }

    /// Not-a-number becomes NULL: aggregates in SQL pass over it then.
    @inline(__always)
    mutating func append(field value: Double) {
        if value.isNaN { appendNull() } else { append(field: Int64(bitPattern: value.bitPattern)) }
    }

    @inline(__always)
    mutating func append(field bytes: UnsafeRawBufferPointer) {
        append(Int32(truncatingIfNeeded: bytes.count))
        append(bytes)
    }

    mutating func append(field bytes: [UInt8]) { bytes.withUnsafeBytes { append(field: $0) } }

    mutating func append(textField text: some Sequence<UInt8>) {
        let place = count
        append(Int32(0))
        append(text: text)
        let length = Int32(truncatingIfNeeded: count - place - 4)
        memory.storeBytes(of: length.bigEndian, toByteOffset: place, as: Int32.self)
    }

    mutating func appendNull() { append(Int32(-1)) }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if count + more > capacity { grow(count + more) }
    }

    private mutating func grow(_ needed: Int) {
        let larger = max(needed, capacity * 2)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        fresh.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = fresh
        capacity = larger
    }
}
