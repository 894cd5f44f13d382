/// Reads what `StateWriter` wrote. Bytes may be anything: too short or nonsense gives nil, never a trap, and no count
/// in them makes it allocate more than there are bytes.
public struct StateReader: Sendable {
    @usableFromInline let bytes: ArraySlice<UInt8>
    @usableFromInline var position: Int

    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    @inlinable public var remaining: Int { bytes.endIndex - position }
    @inlinable public var isAtEnd: Bool { remaining == 0 }

    @inlinable
    public mutating func read<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> Number? {
        load(Number.self).map { Number(littleEndian: $0) }
    }

    @inlinable
    public mutating func readDouble() -> Double? { read(UInt64.self).map(Double.init(bitPattern:)) }
    @inlinable
    public mutating func readFloat() -> Float? { read(UInt32.self).map(Float.init(bitPattern:)) }
    @inlinable
    public mutating func readTimestamp() -> Timestamp? { read(Int64.self).map(Timestamp.init(nanoseconds:)) }

    /// nil also for any byte but 0 and 1.
    @inlinable
    public mutating func readFlag() -> Bool? {
        switch read(UInt8.self) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    @inlinable
    public mutating func readVarint() -> UInt64? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = read(UInt8.self) {
            guard shift < 64, shift < 63 || byte < 2 else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }

    /// `count` varints, one after the other.
    public mutating func readVarints(count: Int) -> [UInt64]? {
        guard count >= 0, count <= remaining else { return nil }
        var numbers: [UInt64] = []
        numbers.reserveCapacity(count)
        var place = position
        for _ in 0..<count {
            var number: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                guard place < bytes.endIndex, shift < 64 else { return nil }
                let byte = bytes[place]
                place += 1
                guard shift < 63 || byte < 2 else { return nil }
                number |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            numbers.append(number)
        }
        position = place
        return numbers
    }

    /// A varint that counts things of `size` bytes still to come: nil where there are not so many.
    @inlinable
    public mutating func readCount(of size: Int = 1) -> Int? {
        guard let number = readVarint(), let count = Int(exactly: number) else { return nil }
        return count <= remaining / max(size, 1) ? count : nil
    }

    public mutating func readName() -> String? {
        guard let count = read(UInt16.self), let text = readRaw(count: Int(count)) else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    public mutating func readText() -> String? {
        guard let text = readBlob() else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    @inlinable
    public mutating func readBlob() -> ArraySlice<UInt8>? {
        guard let count = readCount() else { return nil }
        return readRaw(count: count)
    }

    @inlinable
    public mutating func readRaw(count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= remaining else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    public mutating func readColumn<Element: BitwiseCopyable>(of type: Element.Type) -> [Element]? {
        let size = MemoryLayout<Element>.stride
        guard let count = readCount(of: size) else { return nil }
        // The standard library writes the count of an uninitialized array, also into the one shared empty array.
        guard count > 0 else { return [] }
        let start = position - bytes.startIndex
        position += count * size
        return unsafe bytes.withUnsafeBytes { source in
            unsafe [Element](unsafeUninitializedCapacity: count) { target, filled in
                let part = unsafe UnsafeRawBufferPointer(rebasing: source[start..<start + count * size])
                unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: part)
                filled = count
            }
        }
    }

    @inlinable
    mutating func load<Number: BitwiseCopyable>(_ type: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { return nil }
        let start = position - bytes.startIndex
        position += size
        return unsafe bytes.withUnsafeBytes { source in
            unsafe source.loadUnaligned(fromByteOffset: start, as: Number.self)
        }
    }
}
