internal import CTocsinKernels

/// The trees as the kernels of permutations and look-ups want them (`tk_byte_tree`): the upper ten levels of every
/// tree as complete levels of bytes, and all nodes in 32 bits. Derived from the forest and never saved; 6 KB a tree and
/// 4 bytes a node.
struct ByteForest: Sendable {
    private static let mostFeatures = 16
    private static let mostNodes = 1 << 18
    private static let slots = 1024
    private static let isLeaf: UInt32 = 1 << 13
    private var thresholds: [UInt8]
    private var features: [UInt8]
    private var entries: [UInt32]
    private var nodes: [UInt32]
    private let starts: [UInt32]

    /// nil where the processor lacks the instructions or there are more than 16 features or 262,144 nodes in a tree.
    init?(nodes source: [UInt64], starts: [UInt32], width: Int) {
        guard tk_has_byte_trees() != 0, width <= Self.mostFeatures else { return nil }
        self.starts = starts
        thresholds = Array(repeating: .max, count: starts.count * Self.slots)
        features = Array(repeating: 0, count: starts.count * Self.slots)
        entries = Array(repeating: 0, count: starts.count * Self.slots)
        nodes = []
        nodes.reserveCapacity(source.count)
        for (tree, start) in starts.enumerated() {
            let end = tree + 1 < starts.count ? Int(starts[tree + 1]) : source.count
            guard end - Int(start) <= Self.mostNodes else { return nil }
            for index in Int(start)..<end {
                let node = source[index]
                let left = PackedNode.left(node)
                var word = UInt32(PackedNode.threshold(node)) | (left - start) << 14
                word |= UInt32(PackedNode.feature(node)) << 8 | UInt32(PackedNode.offset(node)) << 12
                if left == index { word |= Self.isLeaf }
                nodes.append(word)
            }
            fill(source, tree: tree, slot: 1, node: start)
        }
    }

    private mutating func fill(_ source: [UInt64], tree: Int, slot: Int, node index: UInt32) {
        let node = source[Int(index)]
        let isLeaf = PackedNode.left(node) == index
        guard slot < Self.slots else {
            entries[tree * Self.slots + slot - Self.slots] = index - starts[tree]
            return
        }
        // Below a leaf the rows keep to the left.
        guard !isLeaf else { return fill(source, tree: tree, slot: 2 * slot, node: index) }
        let feature = PackedNode.feature(node)
        thresholds[tree * Self.slots + slot] = PackedNode.threshold(node)
        features[tree * Self.slots + slot] =
            UInt8(truncatingIfNeeded: feature >> 1 | (feature & 1) << 6) | PackedNode.offset(node) << 7
        fill(source, tree: tree, slot: 2 * slot, node: PackedNode.left(node))
        fill(source, tree: tree, slot: 2 * slot + 1, node: PackedNode.left(node) + 1)
    }

    /// Writes the leaf of each row, counted from the tree's first node, into `tile.leaves`.
    func walk(tree: Int, _ tile: inout BinnedTile) {
        let first = tree * Self.slots
        unsafe thresholds.withUnsafeBufferPointer { thresholds in
            unsafe features.withUnsafeBufferPointer { features in
                unsafe entries.withUnsafeBufferPointer { entries in
                    unsafe nodes.withUnsafeBufferPointer { nodes in
                        guard let thresholds = thresholds.baseAddress, let features = features.baseAddress,
                            let entries = entries.baseAddress, let nodes = nodes.baseAddress
                        else { return }
                        let levels = unsafe tk_byte_tree(
                            thresholds: thresholds + first, features: features + first, entries: entries + first,
                            nodes: nodes + Int(starts[tree]))
                        unsafe tile.walk(levels)
                    }
                }
            }
        }
    }
}
