internal import TocsinCore
internal import TocsinDetect

extension SmokeSuite {
    /// A day of three devices with smoke, CO and LPG sensors and real glitches, without any fire: what alarms there are
    /// false. nil where the recording is not beside the suite's own.
    static func quietDay(_ path: String) throws -> SuiteReport.Table? {
        let places = ["\(path)/env_telemetry", "\(path)/../env_telemetry"].flatMap { folder in
            ["csv.gz", "csv"].map { "\(folder)/env_telemetry.\($0)" }
        }
        guard let file = places.first(where: TextFile.exists) else { return nil }
        let table = try NumberTable(file)
        let seconds = try table.column("ts", of: file)
        guard let devices = table.words["device"] else { return nil }
        let kept = table.names.indices.filter { table.names[$0] != "ts" && table.names[$0] != "device" }
        let kinds: [(String, FireSettings)] = [
            ("fire-limits", FireSettings(departure: .infinity)), ("fire-change", FireSettings()),
        ]
        let rows = kinds.flatMap { name, settings in
            Set(devices).sorted().compactMap { device -> SuiteReport.Row? in
                let own = devices.indices.filter { devices[$0] == device }
                guard
                    var detector = FireDetector(
                        metrics: kept.map { table.names[$0] }, model: nil, settings: settings),
                    let first = own.first, let last = own.last
                else { return nil }
                var alarms = 0.0
                var alarming = 0.0
                var highest = 0.0
                for (before, row) in zip([first] + own, own) {
                    let result = detector.observe(
                        kept.map { table.columns[$0][row] }, at: Timestamp(seconds: seconds[row].clamped(to: 0...4e9)))
                    if result.step == .raised { alarms += 1 }
                    if result.isAlarming { alarming += (seconds[row] - seconds[before]) / 60 }
                    highest = max(highest, result.evidence)
                }
                let hours = (seconds[last] - seconds[first]) / 3600
                return SuiteReport.Row(name, device, [hours, alarms, alarming, highest])
            }
        }
        return SuiteReport.Table(
            "a day without fire (env_telemetry)",
            columns: [
                .init("hours", 1), .init("false alarms", 0), .init("false min", 1), .init("evidence at most", 2),
            ],
            rows: rows)
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        isNaN ? range.lowerBound : Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
