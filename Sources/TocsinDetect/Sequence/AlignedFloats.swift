/// Floats on a cache-line boundary, zero at first: weights and scratch of the LSTM kernels.
///
/// Sendable because an instance is written either before it is shared or by one piece of work at a time.
@safe final class AlignedFloats: @unchecked Sendable {
    let count: Int
    private let base: UnsafeMutablePointer<Float>

    init(count: Int) {
        self.count = count
        // Whole cache lines: a load of 16 floats at the last one stays inside.
        let rounded = (count + 31) / 16 * 16
        let raw = UnsafeMutableRawPointer.allocate(byteCount: rounded * 4, alignment: 64)
        unsafe base = raw.bindMemory(to: Float.self, capacity: rounded)
        unsafe base.initialize(repeating: 0, count: rounded)
    }

    deinit { unsafe base.deallocate() }

    /// Valid while the instance lives.
    var pointer: UnsafeMutablePointer<Float> { unsafe base }

    subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "index outside of the floats")
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count, "index outside of the floats")
            unsafe base[index] = newValue
        }
    }

    func copy(from other: AlignedFloats) {
        precondition(other.count == count, "floats of different counts")
        unsafe base.update(from: other.base, count: count)
    }
}
