public import TocsinCore

extension WindowOperator {
    /// Puts a reading into its series' log. A value that is NaN or infinite spoils the statistics of its windows,
    /// nothing else. A reading whose time the log holds is a duplicate, even where it would also be late.
    public mutating func add(series: SeriesID, sensor: SensorID, time: Timestamp, value: Double) -> Admission {
        let index = Int(series.index)
        let time = time.nanoseconds
        reserve(index)
        pool.makeUnique()
        let isNewest = states[index].blocks.isEmpty || time > states[index].newest
        if !isNewest, holds(index, time) { return .duplicate }
        if plan.isBefore(time, pane: states[index].closedBefore) { return .late }
        if isNewest {
            if !append(time, value, to: index), !extend(index, time, value) { return .full }
            states[index].newest = time
        } else if !insert(time, value, into: index) {
            return .full
        }
        if states[index].sensor != sensor.index { states[index].sensor = sensor.index }
        // No window ends before its last reading: mostly the next one due ends sooner.
        if time < dues[index] {
            let end = plan.time(ofPane: plan.firstEnd(holding: plan.pane(of: time)))
            if end < dues[index] { dues[index] = end }
        }
        return .accepted
    }

    /// Whether the log of a series holds a reading of this time: to recognise a redelivered event before anything is
    /// touched. About 3 ns for a time newer than all.
    public func holds(series: SeriesID, time: Timestamp) -> Bool {
        let index = Int(series.index)
        guard index < states.count, !states[index].blocks.isEmpty, time.nanoseconds <= states[index].newest else {
            return false
        }
        return holds(index, time.nanoseconds)
    }

    /// The log has readings.
    private func holds(_ index: Int, _ time: Int64) -> Bool {
        if time == states[index].newest { return true }
        let place = blockIndex(of: index, holding: time)
        let block = BlockView(states[index].blocks[place, pool], pool)
        if time <= block.start { return time == block.start }
        let header = block.header
        let position = block.firstIndex(from: time)
        return position < header.count && block.time(position, header) == time
    }

    /// The last block that starts at or before `time`, else the first one. The log has readings.
    func blockIndex(of index: Int, holding time: Int64) -> Int {
        var low = 0
        var high = Int(states[index].blocks.count) - 1
        // The answer mostly is the last block or the one before it.
        var step = 1
        while low < high {
            let middle = max(high - step, low)
            if BlockView(states[index].blocks[middle + 1, pool], pool).start <= time {
                low = middle + 1
                break
            }
            high = middle
            step *= 2
        }
        while low < high {
            let middle = (low + high + 1) / 2
            if BlockView(states[index].blocks[middle, pool], pool).start <= time {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low
    }

    /// Appends to the open block, if it takes the reading as it is.
    @inline(__always)
    private func append(_ time: Int64, _ value: Double, to index: Int) -> Bool {
        if states[index].blocks.isEmpty { return false }
        let block = BlockView(states[index].blocks.last(pool), pool)
        if endsBlock(block, time, of: index) { return false }
        return block.append(time, value)
    }
}
