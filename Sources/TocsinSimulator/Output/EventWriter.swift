internal import TocsinCore

/// Writes events as lines of bytes, from cached parts and without a `String`.
struct EventWriter: Sendable {
    let fragments: EventFragments
    private let format: SimulatorFormat
    private let isSmoke: Bool
    private let includesNames: Bool
    private let includesLabels: Bool
    private let includesEventIDs: Bool
    private let decimals: [Int]
    private let names: SensorNames
    private let kindNames: [[UInt8]] = AnomalyKind.allCases.map { Array($0.name.utf8) }
    private let seed: UInt64
    private var time = TimeText()

    init(_ settings: SimulatorSettings) {
        isSmoke = settings.profile == .smoke
        // One smoke detector gives exactly the columns of the data set, which has no sensor column.
        includesNames = !(isSmoke && settings.format == .csv && settings.sensors == 1)
        fragments = EventFragments(settings, includesNames: includesNames)
        format = settings.format
        includesLabels = settings.includeLabels
        includesEventIDs = settings.includeEventIDs
        decimals = settings.profile.metrics.map(\.decimals)
        names = SensorNames(settings)
        seed = settings.seed
    }

    func name(of sensor: Int) -> String { String(decoding: names.bytes(of: sensor), as: UTF8.self) }

    /// What a line is about. `row` numbers all possible lines of the stream.
    struct Line {
        var sensor: Int
        var tick: Int64
        var row: UInt64
        var milliseconds: Int64
        /// nil = nothing is injected into the values of this line.
        var kind: AnomalyKind?
    }

    /// One line with all metrics.
    @inline(__always)
    mutating func appendWide(_ line: Line, values: [Double], to bytes: inout [UInt8]) {
        appendStart(line, to: &bytes)
        for index in values.indices {
            bytes.append(contentsOf: fragments.beforeValue[index])
            FixedPoint.append(values[index], decimals: decimals[index], to: &bytes)
        }
        if isSmoke {
            bytes.append(contentsOf: fragments.beforeCount)
            FixedPoint.append(line.tick.magnitude, decimals: 0, to: &bytes)
            bytes.append(contentsOf: fragments.beforeAlarm)
            bytes.append(line.kind == .fire ? UInt8(ascii: "1") : UInt8(ascii: "0"))
        }
        appendEnd(line, to: &bytes)
    }

    /// One line with one metric.
    @inline(__always)
    mutating func appendNarrow(_ line: Line, metric: Int, value: Double, to bytes: inout [UInt8]) {
        appendStart(line, to: &bytes)
        bytes.append(contentsOf: fragments.beforeValue[metric])
        FixedPoint.append(value, decimals: decimals[metric], to: &bytes)
        bytes.append(contentsOf: fragments.beforeZone[metric])
        FixedPoint.append(UInt64(truncatingIfNeeded: (line.sensor + 1) % 50), decimals: 0, to: &bytes)
        bytes.append(contentsOf: fragments.afterZone)
        appendEnd(line, to: &bytes)
    }

    @inline(__always)
    private mutating func appendStart(_ line: Line, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: fragments.open)
        if includesEventIDs {
            EventIdentifier.append(seed: seed, row: line.row, to: &bytes)
            bytes.append(contentsOf: fragments.afterEventID)
        }
        if includesNames {
            bytes.append(contentsOf: names.bytes(of: line.sensor))
            bytes.append(contentsOf: fragments.afterName)
        }
        if isSmoke {
            let wholeSeconds = line.milliseconds % 1000 == 0
            let number = wholeSeconds ? line.milliseconds / 1000 : line.milliseconds
            FixedPoint.append(number.magnitude, decimals: wholeSeconds ? 0 : 3, to: &bytes)
        } else {
            time.set(line.milliseconds)
            bytes.append(contentsOf: time.bytes)
            bytes.append(contentsOf: fragments.afterTime)
        }
    }

    @inline(__always)
    private func appendEnd(_ line: Line, to bytes: inout [UInt8]) {
        if includesLabels {
            if let kind = line.kind {
                bytes.append(contentsOf: fragments.beforeKind)
                bytes.append(contentsOf: kindNames[Int(kind.rawValue)])
                bytes.append(contentsOf: fragments.afterKind)
            } else {
                bytes.append(contentsOf: fragments.normalLabel)
            }
        }
        bytes.append(contentsOf: fragments.close)
    }
}
