#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Blocks of 64-bit words with a free list per size: after warm-up nothing is malloc'ed, and growing copies nothing.
///
/// Memory comes in segments of 2 MiB that never move. A block is named by its reference, the number of its first word;
/// 0 names no block. Up to 256 words a block gets exactly what it asked for, above that the next power of two. Behind
/// every block at least eight more words can be read.
///
/// A copy of a pool shares the memory until one of the two is about to change: call `makeUnique` before.
@safe struct BlockPool: @unchecked Sendable {
    // Sendable: `memory` changes only while it is uniquely referenced, the pointers point into it.
    typealias Reference = UInt32

    private static let segmentShift: UInt32 = 18
    private static let segmentWords = 1 << Int(segmentShift)
    private static let exactWords = 256
    /// A block may be larger by this part than asked for.
    private static let roominess = 4
    /// Readable behind every block.
    private static let padding = 8

    private var memory = PoolMemory()
    private var segments: [UnsafeMutablePointer<UInt64>] = unsafe []
    private var freeLists = [Reference](repeating: 0, count: exactWords + 1 + 32)
    /// Word behind the last block of the newest segment.
    private var end = segmentWords
    /// Words ever handed out.
    private var handedOut = 0

    private var segmentCount: Int { unsafe segments.count }

    /// Bytes of all blocks, those waiting in free lists included.
    var bytes: Int { handedOut * 8 }

    /// The first word of a block. Valid until the pool is copied, changed and gone; never beyond one call.
    @inline(__always)
    func pointer(_ reference: Reference) -> UnsafeMutablePointer<UInt64> {
        unsafe segments[Int(reference >> Self.segmentShift)] + Int(reference) % Self.segmentWords
    }

    /// Makes this pool the only owner of its memory; about a nanosecond where it is already.
    @inline(__always)
    mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&memory) { copyMemory() }
    }

    /// A block of `count` words, 1 to 131,072; its content is whatever its last owner left.
    mutating func allocate(words count: Int) -> Reference {
        let (list, size) = Self.sizeClass(count)
        let head = freeLists[list]
        if head != 0 {
            freeLists[list] = Reference(truncatingIfNeeded: unsafe pointer(head).pointee)
            return head
        }
        if end + size + Self.padding > Self.segmentWords { addSegment() }
        let reference = Reference(segmentCount - 1) << Self.segmentShift | Reference(end)
        end += size
        handedOut += size
        return reference
    }

    /// A block of `count` words, 1 to 250, or of a few more where such a one lies waiting; `count` becomes what it is.
    ///
    /// Else sizes that come and go with the data would each leave their own free blocks behind.
    mutating func allocate(roomy count: inout Int) -> Reference {
        for size in count..<count + 1 + count / Self.roominess where freeLists[size] != 0 {
            count = size
            break
        }
        return allocate(words: count)
    }

    /// `count` is what `allocate` was asked for.
    mutating func free(_ reference: Reference, words count: Int) {
        let (list, _) = Self.sizeClass(count)
        unsafe pointer(reference).pointee = UInt64(freeLists[list])
        freeLists[list] = reference
    }

    @inline(__always)
    private static func sizeClass(_ words: Int) -> (list: Int, size: Int) {
        if words <= exactWords { return (words, words) }
        let octave = Int.bitWidth - (words - 1).leadingZeroBitCount
        return (exactWords + octave - 8, 1 << octave)
    }

    private mutating func addSegment() {
        precondition(segmentCount < 1 << (32 - Int(Self.segmentShift)), "a block pool holds at most 32 GiB")
        // The first segment may stay small: only the pages that are touched count. Later ones are large pages.
        unsafe segments.append(memory.addSegment(words: Self.segmentWords, inLargePages: segmentCount > 0))
        // Word 0 of the first segment stays unused, because reference 0 means none.
        end = segmentCount == 1 ? 1 : 0
    }

    private mutating func copyMemory() {
        let copy = PoolMemory()
        for index in 0..<segmentCount {
            let target = unsafe copy.addSegment(words: Self.segmentWords, inLargePages: index > 0)
            let used = index == segmentCount - 1 ? end : Self.segmentWords
            unsafe target.update(from: segments[index], count: used)
            unsafe segments[index] = target
        }
        memory = copy
    }
}

/// Owns the segments of a pool.
@safe private final class PoolMemory {
    private var segments: [UnsafeMutableRawPointer] = unsafe []

    deinit { unsafe segments.forEach { unsafe free($0) } }

    func addSegment(words: Int, inLargePages: Bool) -> UnsafeMutablePointer<UInt64> {
        var address: UnsafeMutableRawPointer?
        let failure = unsafe posix_memalign(&address, 1 << 21, words * 8)
        guard failure == 0, let address = unsafe address else { preconditionFailure("no memory for window state") }
        #if os(Linux)
        if inLargePages { _ = unsafe madvise(address, words * 8, MADV_HUGEPAGE) }
        #endif
        unsafe segments.append(address)
        return unsafe address.bindMemory(to: UInt64.self, capacity: words)
    }
}
