/// Blocks of 64-bit words inside one growing buffer, with a free list per size class: after warm-up nothing is
/// malloc'ed.
///
/// A block is named by its reference, the offset in units of four words; 0 names no block. Sizes are rounded up to
/// whole units below 17 units and to four steps per power of two above, so at most a fifth of a block is unused.
/// Blocks move when the buffer grows: keep references, never addresses.
struct BlockPool: Sendable {
    typealias Reference = UInt32
    static let unit = 4

    var words: [UInt64] = []
    private var freeLists = [Reference](repeating: 0, count: 16 + 4 * 30)
    /// Units handed out so far; unit 0 stays unused, because reference 0 means none.
    private var usedUnits = 1

    /// Bytes of the buffer that have been touched.
    var bytes: Int { words.count * 8 }

    /// Offset of a block in `words`.
    @inline(__always)
    static func offset(_ reference: Reference) -> Int { Int(reference) &* unit }

    /// Words that a request for `count` words really gets. `count` is positive.
    static func roundedWords(_ count: Int) -> Int { sizeClass(count).units * unit }

    /// The block's content is whatever its last owner left.
    mutating func allocate(words count: Int) -> Reference {
        let (index, units) = Self.sizeClass(count)
        let head = freeLists[index]
        if head != 0 {
            freeLists[index] = Reference(truncatingIfNeeded: words[Self.offset(head)])
            return head
        }
        precondition(usedUnits + units <= Int(Reference.max), "a block pool holds at most 128 GiB")
        let reference = Reference(usedUnits)
        usedUnits += units
        let missing = usedUnits * Self.unit - words.count
        if missing > 0 { words.append(contentsOf: repeatElement(0, count: max(missing, 8192))) }
        return reference
    }

    /// `count` is what `allocate` was asked for, or what it was rounded up to.
    mutating func free(_ reference: Reference, words count: Int) {
        let (index, _) = Self.sizeClass(count)
        words[Self.offset(reference)] = UInt64(freeLists[index])
        freeLists[index] = reference
    }

    private static func sizeClass(_ words: Int) -> (index: Int, units: Int) {
        let units = (words + unit - 1) / unit
        if units <= 16 { return (units - 1, units) }
        let octave = Int.bitWidth - 1 - (units - 1).leadingZeroBitCount
        let shift = octave - 2
        let steps = (units + (1 << shift) - 1) >> shift  // 5 ... 8
        return (16 + (octave - 4) * 4 + steps - 5, steps << shift)
    }
}
