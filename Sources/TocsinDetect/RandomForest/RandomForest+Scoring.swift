extension RandomForest {
    private static let tile = 1024
    /// Rows a thread takes at a time.
    private static let share = 4 * tile

    /// The prediction of one row: the value, or the probability of class 1; of more than two classes the last (use
    /// `probabilities` there). Missing columns count as NaN. A few µs for 100 trees.
    public func predict(_ row: [Double]) -> Double { output(of: row).last ?? .nan }

    /// The probability of every class, summing to 1; for regression the value alone.
    public func probabilities(_ row: [Double]) -> [Double] {
        let answer = output(of: row)
        return task == .classification && outputs == 1 ? [1 - answer[0], answer[0]] : answer
    }

    /// Predicts many rows (row after row, `width` values each): `outputs` numbers a row, on all cores.
    ///
    /// About 1 µs a row and core for 100 trees of 12 features, twice that for more than 16 features or without
    /// AVX-512.
    public func predict(rows: [Double], threads: Int = 0) -> [Double] { predict(rows: rows, threads: threads, bytes) }

    /// The same without the kernel of permutations.
    public func predictPortably(rows: [Double], threads: Int = 0) -> [Double] {
        predict(rows: rows, threads: threads, nil)
    }

    private func predict(rows: [Double], threads: Int, _ bytes: ByteForest?) -> [Double] {
        let count = rows.count / width
        let parts = ParallelWork.map((count + Self.share - 1) / Self.share, threads: threads) { part in
            var tile = BinnedTile(width: width, stride: Self.tile)
            var sums: [Double] = []
            let end = min(count, (part + 1) * Self.share)
            sums.reserveCapacity(Self.share * outputs)
            for first in stride(from: part * Self.share, to: end, by: Self.tile) {
                let size = min(Self.tile, end - first)
                tile.fill(from: rows, first: first, count: size, by: bins)
                let start = sums.count
                sums.append(contentsOf: repeatElement(0, count: tile.rows * outputs))
                for tree in starts.indices {
                    if let bytes {
                        bytes.walk(tree: tree, &tile)
                        add(tile, below: Int(starts[tree]), to: &sums, at: start)
                    } else {
                        add(starts[tree], tile, to: &sums, at: start)
                    }
                }
                sums.removeLast((tile.rows - size) * outputs)
            }
            let unit = 1 / Double(trees)
            for place in sums.indices { sums[place] *= unit }
            return sums
        }
        return parts.count == 1 ? parts[0] : Array(parts.joined())
    }

    private func output(of row: [Double]) -> [Double] {
        let found = (0..<width).map { bins.bin($0 < row.count ? row[$0] : .nan, $0) }
        var sums = [Double](repeating: 0, count: outputs)
        unsafe nodes.withUnsafeBufferPointer { nodes in
            unsafe found.withUnsafeBufferPointer { found in
                for tree in starts {
                    var place = tree
                    while true {
                        let node = unsafe nodes[Int(place)]
                        let next = unsafe PackedNode.next(node, found[PackedNode.feature(node)])
                        if next == place { break }
                        place = next
                    }
                    for output in 0..<outputs { sums[output] += Double(values[Int(place) * outputs + output]) }
                }
            }
        }
        let unit = 1 / Double(trees)
        return sums.map { $0 * unit }
    }

    /// Adds the leaves that the kernel has found to the sums.
    private func add(_ tile: BinnedTile, below first: Int, to sums: inout [Double], at start: Int) {
        let outputs = outputs
        unsafe values.withUnsafeBufferPointer { values in
            unsafe sums.withUnsafeMutableBufferPointer { sums in
                unsafe tile.arrived.withUnsafeBufferPointer { rows in
                    unsafe tile.leaves.withUnsafeBufferPointer { leaves in
                        guard outputs > 1 else {
                            for place in 0..<tile.rows {
                                let value = unsafe values[first &+ Int(leaves[place])]
                                unsafe sums[start &+ Int(rows[place])] += Double(value)
                            }
                            return
                        }
                        for place in 0..<tile.rows {
                            let leaf = unsafe (first + Int(leaves[place])) * outputs
                            let row = unsafe start + Int(rows[place]) * outputs
                            for output in 0..<outputs { unsafe sums[row + output] += Double(values[leaf + output]) }
                        }
                    }
                }
            }
        }
    }

    /// Adds one tree's leaves to the sums of the binned rows.
    ///
    /// Eight rows walk side by side: a step waits for memory, not for the processor, and eight waits overlap.
    private func add(_ tree: UInt32, _ tile: BinnedTile, to sums: inout [Double], at start: Int) {
        let outputs = outputs
        unsafe tile.bins.withUnsafeBufferPointer { bins in
            unsafe nodes.withUnsafeBufferPointer { nodes in
                unsafe values.withUnsafeBufferPointer { values in
                    unsafe sums.withUnsafeMutableBufferPointer { sums in
                        for row in stride(from: 0, to: tile.rows, by: 8) {
                            let leaves = unsafe Self.leaves(from: tree, nodes, bins, row, tile.stride)
                            for lane in 0..<8 {
                                let leaf = Int(leaves[lane]) * outputs
                                let place = start + (row + lane) * outputs
                                for output in 0..<outputs {
                                    unsafe sums[place + output] += Double(values[leaf + output])
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    @inline(__always) private static func step(
        _ place: UInt32, _ nodes: UnsafeBufferPointer<UInt64>, _ bins: UnsafeBufferPointer<UInt8>, _ row: Int,
        _ stride: Int
    ) -> UInt32 {
        let node = unsafe nodes[Int(place)]
        return unsafe PackedNode.next(node, bins[row &+ PackedNode.feature(node) &* stride])
    }

    @inline(__always) private static func leaves(
        from tree: UInt32, _ nodes: UnsafeBufferPointer<UInt64>, _ bins: UnsafeBufferPointer<UInt8>, _ row: Int,
        _ stride: Int
    ) -> SIMD8<UInt32> {
        var (a, b, c, d, e, f, g, h) = (tree, tree, tree, tree, tree, tree, tree, tree)
        while true {
            let a2 = unsafe step(a, nodes, bins, row, stride)
            let b2 = unsafe step(b, nodes, bins, row &+ 1, stride)
            let c2 = unsafe step(c, nodes, bins, row &+ 2, stride)
            let d2 = unsafe step(d, nodes, bins, row &+ 3, stride)
            let e2 = unsafe step(e, nodes, bins, row &+ 4, stride)
            let f2 = unsafe step(f, nodes, bins, row &+ 5, stride)
            let g2 = unsafe step(g, nodes, bins, row &+ 6, stride)
            let h2 = unsafe step(h, nodes, bins, row &+ 7, stride)
            let moved = (a ^ a2) | (b ^ b2) | (c ^ c2) | (d ^ d2) | (e ^ e2) | (f ^ f2) | (g ^ g2) | (h ^ h2)
            (a, b, c, d, e, f, g, h) = (a2, b2, c2, d2, e2, f2, g2, h2)
            if moved == 0 { return SIMD8(a, b, c, d, e, f, g, h) }
        }
    }
}
