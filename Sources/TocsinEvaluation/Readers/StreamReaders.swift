internal import TocsinCore

/// Univariate streams: the recordings of NAB, KPI and the labelled sensor network.
enum StreamReaders {
    static func nab(_ path: String) throws -> [LabelledSeries] {
        let folder = try SuiteFolder(path, name: "nab", marker: "labels/combined_windows.json")
        let limits = try NABWindows.read("\(folder.path)/labels/combined_windows.json")
        var series: [LabelledSeries] = []
        for category in TextFile.names(in: "\(folder.path)/data") {
            for file in folder.files("data/\(category)", ending: ".csv") {
                let table = try NumberTable(file)
                let name = "\(category)/\(SuiteFolder.stem(file)).csv"
                guard let limits = limits[name] else {
                    throw TocsinError(
                        .format, "combined_windows.json does not know the file", place: file,
                        remedy: "remove the file, or fetch the labels that belong to it")
                }
                let values = try table.column("value", of: file)
                let windows = NABFile.windows(limits, in: table.times)
                var labels = Array(repeating: false, count: values.count)
                for row in windows.joined() { labels[row] = true }
                series.append(
                    LabelledSeries(
                        name: name, group: category, times: table.times, columns: [values], columnNames: ["value"],
                        labels: labels, rowsPerDay: rowsPerDay(table.times), windows: windows))
            }
        }
        return series
    }

    static func kpi(_ path: String) throws -> [LabelledSeries] {
        let folder = try SuiteFolder(path, name: "kpi", marker: "cpu4.csv")
        return try folder.files(ending: ".csv").map { file in
            let table = try NumberTable(file)
            let seconds = try table.column("timestamp", of: file)
            return LabelledSeries(
                name: SuiteFolder.stem(file), group: "kpi", times: seconds.map { time(seconds: $0) },
                columns: [try table.column("value", of: file)], columnNames: ["value"],
                labels: try table.column("label", of: file).map { $0 > 0.5 }, rowsPerDay: 288)
        }
    }

    static func sensorNetwork(_ path: String) throws -> [LabelledSeries] {
        let folder = try SuiteFolder(path, name: "wsn_labelled", marker: "single_hop.csv")
        let file = "\(folder.path)/single_hop.csv"
        let table = try NumberTable(file)
        let motes = try table.column("mote_id", of: file)
        let readings = try table.column("reading", of: file)
        let humidity = try table.column("humidity", of: file)
        let temperature = try table.column("temperature", of: file)
        let labels = try table.column("label", of: file)
        return Set(motes).sorted().map { mote in
            let rows = motes.indices.filter { motes[$0] == mote }
            return LabelledSeries(
                name: "mote \(Int(exactly: mote) ?? 0)", group: "wsn",
                times: rows.map { time(seconds: 946_684_800 + 5 * readings[$0]) },
                columns: [rows.map { humidity[$0] }, rows.map { temperature[$0] }],
                columnNames: ["humidity", "temperature"], labels: rows.map { labels[$0] > 0.5 }, rowsPerDay: 17_280)
        }
    }

    static func time(seconds: Double) -> Timestamp {
        seconds.isFinite ? Timestamp(seconds: min(max(seconds, 0), 9e9)) : Timestamp(nanoseconds: 0)
    }

    /// From the median interval.
    static func rowsPerDay(_ times: [Timestamp]) -> Double {
        guard times.count > 1 else { return 0 }
        let steps = zip(times.dropFirst(), times).map { $0.since($1).seconds }.sorted()
        let step = steps[steps.count / 2]
        return step > 0 ? 86_400 / step : 0
    }
}
