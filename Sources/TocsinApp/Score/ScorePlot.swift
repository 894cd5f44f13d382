internal import TocsinChart
internal import TocsinCore
internal import TocsinJobs

/// Collects a scored recording for `tocsin score --plot`.
struct ScorePlot {
    private var sensor: SensorID?
    private var times: [Timestamp] = []
    private var columns: [[Double]]
    private var scores: [Double] = []
    private var findings: [ScorePicture.Finding] = []
    private let names: [String]

    init(names: [String]) {
        self.names = names
        columns = Array(repeating: [], count: names.count)
    }

    /// - Throws: `TocsinError(.usage)` for a second sensor: the picture is of one.
    mutating func addRow(sensor: SensorID, time: Timestamp, values: [(column: Int, value: Double)]) throws {
        guard self.sensor == nil || self.sensor == sensor else {
            throw TocsinError(
                .usage, "the picture is of one sensor, and the file has several",
                remedy: "leave --plot out, or give a file with one sensor")
        }
        self.sensor = sensor
        times.append(time)
        for column in columns.indices { columns[column].append(.nan) }
        for entry in values { columns[entry.column][times.count - 1] = entry.value }
    }

    /// Of the rows in their order, those that could be read.
    mutating func addScore(_ row: RowScore) {
        if row.isAnomalous { findings.append(.init(row: scores.count, kind: row.kind)) }
        scores.append(row.score)
    }

    func write(title: String, subtitle: String, to path: String) throws {
        let picture = ScorePicture(
            title: title, subtitle: subtitle, times: times,
            columns: zip(names, columns).map { (name: $0, values: $1) }, scores: scores, threshold: 0.5,
            findings: findings)
        try PictureFile.write(picture.chart(), to: path)
    }
}
