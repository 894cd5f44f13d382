internal import TocsinCore

/// Series with rows to fit on: SKAB, server metrics, spacecraft telemetry, the UCR archive.
enum FittedReaders {
    static func skab(_ path: String) throws -> [LabelledSeries] {
        let folder = try SuiteFolder(path, name: "skab", marker: "valve1")
        var series: [LabelledSeries] = []
        for group in ["valve1", "valve2", "other"] {
            for file in folder.files(group, ending: ".csv") {
                let table = try NumberTable(file)
                let metrics = table.names.indices.filter {
                    !["datetime", "anomaly", "changepoint"].contains(table.names[$0])
                }
                let changes = try table.column("changepoint", of: file)
                series.append(
                    LabelledSeries(
                        name: "\(group)/\(SuiteFolder.stem(file))", group: group, times: table.times,
                        columns: metrics.map { table.columns[$0] }, columnNames: metrics.map { table.names[$0] },
                        labels: try table.column("anomaly", of: file).map { $0 > 0.5 }, trainingRows: 400,
                        rowsPerDay: 86_400, windows: changes.indices.filter { changes[$0] > 0.5 }.map { $0..<($0 + 1) })
                )
            }
        }
        return series
    }

    /// SMD and ASD: a folder a machine with `train.csv`, `test.csv`, `test_label.txt`.
    static func serverMetrics(_ path: String, name: String, rowsPerDay: Double) throws -> [LabelledSeries] {
        let given = try folder(path, name: name)
        return try given.folders(holding: "test.csv").map { machine in
            let place = "\(given.path)/\(machine)"
            let train = try NumberTable(TextFile.plainOrPacked("\(place)/train.csv"))
            let testPath = TextFile.plainOrPacked("\(place)/test.csv")
            let test = try NumberTable(testPath)
            let labels = try NumberTable("\(place)/test_label.txt")
            guard train.columns.count == test.columns.count, labels.rowCount == test.rowCount else {
                throw TocsinError(
                    .format, "training rows, test rows and labels do not belong together", place: testPath,
                    remedy: "fetch the three files again")
            }
            return LabelledSeries(
                name: machine, group: name, columns: zip(train.columns, test.columns).map { $0 + $1 },
                columnNames: train.names,
                labels: Array(repeating: false, count: train.rowCount) + labels.columns[0].map { $0 > 0.5 },
                trainingRows: train.rowCount, rowsPerDay: rowsPerDay)
        }
    }

    static func spacecraft(_ path: String) throws -> [LabelledSeries] {
        let folder = try SuiteFolder(path, name: "smap_msl", marker: "labeled_anomalies.csv")
        var series: [LabelledSeries] = []
        for craft in ["SMAP", "MSL"] {
            for file in folder.files(craft, ending: ".test.csv") {
                let train = try NumberTable(
                    TextFile.plainOrPacked(
                        String(file.dropLast(file.hasSuffix(".gz") ? ".test.csv.gz".count : ".test.csv".count))
                            + ".train.csv"))
                let test = try NumberTable(file)
                let head = try train.column("value", of: file)
                let tail = try test.column("value", of: file)
                let truth = try test.column("label", of: file).map { $0 > 0.5 }
                series.append(
                    LabelledSeries(
                        name: "\(craft)/\(SuiteFolder.stem(file).dropLast(".test".count))", group: craft,
                        columns: [head + tail], columnNames: ["value"],
                        labels: Array(repeating: false, count: head.count) + truth,
                        trainingRows: train.rowCount))
            }
        }
        return series
    }

    static func ucr(_ path: String) throws -> [LabelledSeries] {
        let given = path.hasSuffix("/ucr") || !TextFile.exists("\(path)/ucr") ? path : "\(path)/ucr"
        let files = TextFile.names(in: given).filter { $0.contains("UCR_Anomaly") && $0.hasSuffix(".txt") }
        guard !files.isEmpty else {
            throw TocsinError(
                .file, "no file *UCR_Anomaly*.txt here", place: given,
                remedy: "give the folder ucr itself or the data folder that holds it")
        }
        return try files.map { name in
            let place = "\(given)/\(name)"
            let values = try NumberTable(place).columns[0]
            let numbers = SuiteFolder.stem(name).split(separator: "_").suffix(3).compactMap { Int($0) }
            guard numbers.count == 3, numbers[0] > 0, numbers[1] > numbers[0], numbers[2] >= numbers[1],
                numbers[2] <= values.count
            else {
                throw TocsinError(
                    .format, "the name must end in _<train end>_<anomaly start>_<anomaly end>", place: place,
                    remedy: "give the file its original name")
            }
            // 1-based, both ends inside.
            let range = (numbers[1] - 1)..<numbers[2]
            return LabelledSeries(
                name: SuiteFolder.stem(name), group: "ucr", columns: [values], columnNames: ["value"],
                labels: values.indices.map(range.contains), trainingRows: numbers[0], windows: [range])
        }
    }

    private static func folder(_ path: String, name: String) throws -> SuiteFolder {
        // Machines differ between parts of a set, so the first one found is the marker.
        for place in ["\(path)/\(name)", path] {
            let machine = TextFile.names(in: place).first { TextFile.exists("\(place)/\($0)/test_label.txt") }
            if let machine { return try SuiteFolder(place, name: name, marker: machine) }
        }
        throw TocsinError(
            .file, "no folder with test_label.txt here: this is no folder of the suite \(name)", place: path,
            remedy: "give the folder \(name) itself or the data folder that holds it")
    }
}
