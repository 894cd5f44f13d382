internal import TocsinCore

/// One file to be: some events of one hour, sorted by sensor name, then time, then arrival.
struct BronzePart: Sendable {
    var partition: LakePartition
    /// Of the files that the roll's hour is cut into.
    var number: Int
    /// Rows of the roll's columns.
    var rows: [UInt32]
}

/// Puts a roll's events in the order of the lake.
struct BronzeOrder {
    /// Cutting smaller hours would make files smaller than a row group.
    static let smallestPart = 122_880

    let columns: BronzeColumns
    let rankOfSensor: [UInt32]

    /// The files of a roll in the order of their hours: two counting passes and a look at each sensor's times; about
    /// 20 ns an event.
    /// - Parameter parts: into how many files a large hour is cut.
    func parts(_ parts: Int) -> [BronzePart] {
        hours().flatMap { hour, rows in
            cut(sorted(rows), into: parts).enumerated().map { number, rows in
                BronzePart(partition: LakePartition(hoursSinceEpoch: hour), number: number, rows: rows)
            }
        }
    }

    /// The rows of each hour in the order of arrival.
    private func hours() -> [(hour: Int, rows: [UInt32])] {
        var places: [Int: Int] = [:]
        var found: [(hour: Int, rows: [UInt32])] = []
        // Neighbours are mostly of one hour.
        var (start, end, place) = (Int64.max, Int64.min, 0)
        for row in 0..<columns.eventCount {
            let time = columns.times[row]
            if time < start || time >= end {
                let hour = LakePartition.hoursSinceEpoch(Timestamp(nanoseconds: time))
                let partition = LakePartition(hoursSinceEpoch: hour)
                (start, end) = (partition.start.nanoseconds, partition.end.nanoseconds)
                place = places[hour] ?? found.count
                if place == found.count {
                    places[hour] = place
                    found.append((hour, []))
                }
            }
            found[place].rows.append(UInt32(row))
        }
        return found.sorted { $0.hour < $1.hour }
    }

    /// By sensor, then time; equal ones as they came.
    private func sorted(_ rows: [UInt32]) -> [UInt32] {
        // Counting touches every sensor there is: not for a handful of rows.
        guard rows.count >= rankOfSensor.count / 8 else {
            return rows.sorted { left, right in
                let (first, second) = (rank(left), rank(right))
                if first != second { return first < second }
                return isBefore(left, right)
            }
        }
        var starts = [UInt32](repeating: 0, count: rankOfSensor.count + 1)
        for row in rows { starts[Int(rank(row)) + 1] += 1 }
        for rank in 1..<starts.count { starts[rank] += starts[rank - 1] }
        var sorted = [UInt32](repeating: 0, count: rows.count)
        var next = starts
        for row in rows {
            let rank = Int(rank(row))
            sorted[Int(next[rank])] = row
            next[rank] += 1
        }
        for rank in 0..<starts.count - 1 { sortTimes(&sorted, Int(starts[rank])..<Int(starts[rank + 1])) }
        return sorted
    }

    /// Rows of one sensor, which mostly came in order.
    private func sortTimes(_ rows: inout [UInt32], _ range: Range<Int>) {
        var previous = Int64.min
        for place in range {
            let time = columns.times[Int(rows[place])]
            if time < previous {
                rows[range].sort(by: isBefore)
                return
            }
            previous = time
        }
    }

    private func rank(_ row: UInt32) -> UInt32 { rankOfSensor[Int(columns.sensors[Int(row)])] }

    private func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
        let (first, second) = (columns.times[Int(left)], columns.times[Int(right)])
        return first == second ? left < right : first < second
    }

    /// Cuts a large hour between two sensors into parts of about equal size.
    private func cut(_ rows: [UInt32], into parts: Int) -> [[UInt32]] {
        let count = min(parts, rows.count / Self.smallestPart)
        guard count > 1 else { return [rows] }
        var cuts: [[UInt32]] = []
        var start = 0
        for number in 1...count {
            var end = number == count ? rows.count : max(start, rows.count * number / count)
            while end > start, end < rows.count, rank(rows[end]) == rank(rows[end - 1]) { end += 1 }
            if end > start { cuts.append(Array(rows[start..<end])) }
            start = end
        }
        return cuts
    }
}
