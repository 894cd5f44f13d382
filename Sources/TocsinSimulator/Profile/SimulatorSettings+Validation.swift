public import TocsinCore

extension SimulatorSettings {
    /// Throws `.configuration` with the key and the remedy for the first setting that makes no sense.
    public func validate() throws(TocsinError) {
        try check(
            (1...10_000_000).contains(sensors), "sensors", "\(sensors) sensors cannot be simulated.",
            "Give a number from 1 to 10000000.")
        try check(
            interval >= .milliseconds(1) && interval <= .days(1) && interval.nanoseconds % 1_000_000 == 0, "interval",
            "An interval of \(interval.seconds) s cannot be simulated.",
            "Give whole milliseconds, from 1 ms to 1 day.")
        try check(
            start.nanoseconds >= 0 && start < Simulator.latestTime, "start",
            "The start lies outside the years 1970 to 2261.", "Give a start time such as 2025-10-01T00:00:00Z.")
        try check(
            (0...0.95).contains(anomalyRate), "anomalyRate", "\(anomalyRate) is not a share of time.",
            "Give a number from 0 (none) to 0.95.")
        for (key, factor) in [
            ("noise", noiseFactor), ("dailyAmplitude", dailyFactor), ("sensorOffsets", offsetFactor),
        ] {
            try check(
                (0...1000).contains(factor), key, "\(factor) is not a usable factor.",
                "Give a number from 0 (off) to 1000; 1 is the profile's own.")
        }
        if let noiseCorrelation {
            try check(
                (0..<1).contains(noiseCorrelation), "noiseCorrelation",
                "\(noiseCorrelation) is not a usable correlation.",
                "Give a number from 0 up to, but not including, 1.")
        }
        try check(
            profile != .smoke || format != .narrow, "format", "The smoke profile has no narrow form.",
            "Use wide or csv.")
        try check(
            anomalyRate == 0 || !injections.isEmpty, "anomalies", "No kind of anomaly is enabled.",
            "Enable one of \(kindNames), or set the anomaly rate to 0.")
        for injection in injections { try check(injection) }
    }

    private func check(_ injection: Injection) throws(TocsinError) {
        let place = "anomalies.\(injection.kind.name)"
        try check(
            profile.possibleKinds.contains(injection.kind), place,
            "The \(profile.rawValue) profile cannot inject \(injection.kind.name).", "Use one of \(kindNames).")
        if let amplitude = injection.amplitude {
            try check(
                injection.kind != .silence, "\(place).amplitude", "Silence has no amplitude.",
                "Leave it out; give a duration instead.")
            try check(
                amplitude.lowerBound >= 0 && amplitude.upperBound <= 1_000_000, "\(place).amplitude",
                "\(amplitude) is not a usable amplitude.", "Give sigmas of the noise, from 0 to 1000000.")
        }
        if let duration = injection.duration {
            try check(
                duration.lowerBound > .seconds(0) && duration.upperBound <= .days(365), "\(place).duration",
                "A duration of \(duration.lowerBound.seconds) s to \(duration.upperBound.seconds) s is not usable.",
                "Give more than 0 s and at most 365 days.")
        }
    }

    private var kindNames: String { profile.possibleKinds.map(\.name).joined(separator: ", ") }

    private func check(
        _ holds: Bool, _ key: String, _ message: String, _ remedy: String
    ) throws(TocsinError) {
        guard holds else {
            throw TocsinError(.configuration, message, place: "simulator.\(key)", remedy: remedy)
        }
    }
}
