internal import CTocsinKernels

/// Some rows in bins, column after column; rows that fill up the last 64 are of any earlier values.
struct BinnedTile {
    private static let group = 64
    private let width: Int
    let stride: Int
    private(set) var bins: [UInt8]
    /// Which row came to which leaf of the last tree, in no order.
    private(set) var arrived: [UInt32]
    private(set) var leaves: [UInt32]
    private var scratch: [UInt32]
    /// A multiple of 64.
    private(set) var rows = 0

    /// - Parameter stride: the most rows, a multiple of 64.
    init(width: Int, stride: Int) {
        self.width = width
        self.stride = stride
        // The kernel reads four bytes at a time.
        bins = Array(repeating: 0, count: stride * width + 3)
        arrived = Array(repeating: 0, count: stride + 16)
        leaves = arrived
        scratch = Array(repeating: 0, count: 3 * stride + 32)
    }

    mutating func fill(from values: [Double], first: Int, count: Int, by table: FeatureBins) {
        rows = (count + Self.group - 1) / Self.group * Self.group
        for feature in 0..<width {
            for row in 0..<count {
                bins[feature * stride + row] = table.bin(values[(first + row) * width + feature], feature)
            }
        }
    }

    mutating func walk(_ tree: tk_byte_tree) {
        let rows = rows
        unsafe bins.withUnsafeBufferPointer { bins in
            unsafe arrived.withUnsafeMutableBufferPointer { arrived in
                unsafe leaves.withUnsafeMutableBufferPointer { leaves in
                    unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                        guard let bins = bins.baseAddress, let arrived = arrived.baseAddress,
                            let leaves = leaves.baseAddress, let scratch = scratch.baseAddress
                        else { return }
                        unsafe withUnsafePointer(to: tree) { tree in
                            unsafe tk_byte_tree_leaves(
                                tree, Int32(width), bins, stride, rows, arrived, leaves, scratch)
                        }
                    }
                }
            }
        }
    }
}
