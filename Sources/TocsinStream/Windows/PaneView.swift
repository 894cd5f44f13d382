/// On which side of the mean the series was last.
enum Side {
    case unknown, below, above
}

/// Where a sealed pane lies; its content is read in place.
struct PaneView {
    let number: Int64
    let offset: Int
    let count: Int

    @inline(__always)
    init(_ words: Span<UInt64>, directoryEntry entry: Int) {
        number = Int64(bitPattern: words[entry])
        offset = BlockPool.offset(PaneEntry.block(words[entry + 1]))
        count = PaneEntry.count(words[entry + 1])
    }

    @inline(__always)
    func field(_ field: Int, _ words: Span<UInt64>) -> Double { Double(bitPattern: words[offset + field]) }

    /// The values in time order.
    @inline(__always)
    func value(_ index: Int, _ words: Span<UInt64>) -> Double {
        Double(bitPattern: words[offset + SealedPane.values + index])
    }

    /// The pane's mean less `value`.
    @inline(__always)
    func meanOffset(from value: Double, _ words: Span<UInt64>) -> Double {
        self.value(0, words) - value + field(SealedPane.meanOffset, words)
    }

    /// The pane's mean time, in seconds after the start of pane `origin`.
    @inline(__always)
    func meanTime(since origin: PaneView, paneSeconds: Double, _ words: Span<UInt64>) -> Double {
        Double(number - origin.number) * paneSeconds + field(SealedPane.meanTime, words)
    }

    /// How often the values change from one side of `mean` to the other; a value equal to it stays on the side before.
    @inline(__always)
    func crossings(of mean: Double, from side: inout Side, _ words: Span<UInt64>) -> Int {
        let keys = offset + SealedPane.keys(count: count)
        let minimum = OrderedKey.value(words[keys])
        let maximum = OrderedKey.value(words[keys + count - 1])
        if minimum > mean || maximum < mean {
            let now: Side = minimum > mean ? .above : .below
            defer { side = now }
            return side == .unknown || side == now ? 0 : 1
        }
        var index = 0
        while side == .unknown && index < count {
            let value = value(index, words)
            if value > mean { side = .above } else if value < mean { side = .below }
            index += 1
        }
        if side == .unknown { return 0 }
        var isAbove = side == .above ? 1 : 0
        var crossings = 0
        while index < count {
            let value = value(index, words)
            let now = (value > mean ? 1 : 0) | (isAbove & (value < mean ? 0 : 1))
            crossings += now ^ isAbove
            isAbove = now
            index += 1
        }
        side = isAbove == 1 ? .above : .below
        return crossings
    }
}
