internal import TocsinDetect

extension SmokeSuite {
    /// What has to be known to read the figures: signs, labels that show in no sensor, columns that name the place.
    static func notes(_ table: LabelledTable, _ recordings: [LabelledTable]) -> [String] {
        identifying(table) + recordings.flatMap(signs) + [
            "First sign: in three rows in a row a column is further than six robust standard deviations (1.4826 × MAD of "
                + "five minutes, at least its smallest step) from its median; looked for from 60 s before the label on, with "
                + "hindsight, by the same rule everywhere.",
            "Found: an alarm that begins between the first sign (or the label) and the end of the label. An alarm that "
                + "always stands finds nothing. False: minutes and share of quiet time with an alarm, sign to label excused.",
            "Unseen recording: trained on the others. Fifth by fifth: each fifth of a recording is judged by a model of all "
                + "else, ten minutes around it left out.",
            "The shuffled split puts neighbours of the test rows, a second away, into training: it is shown to be disbelieved.",
            "Features: the 12 sensor columns; UTC, CNT, row and recording are left out, they identify the recording. fire sees "
                + "changes only; where the training rows hold no fire that begins after five minutes of recording it has no "
                + "forest and equals fire-change.",
            "fire-limits: each limit is a standard's or a health authority's. fire-change: its three kinds of evidence and "
                + "both directions of the raw gas sensors were decided on after looking at recording B (where the gases fall "
                + "as the alarm begins); its six swings were set before and not searched for: with 4 to 6 the alarm comes in "
                + "the same second, with 8 and 10 seven seconds later, and none of them gives a false alarm.",
        ]
    }

    private static func signs(_ recording: LabelledTable) -> [String] {
        let name = recording.groups.first ?? ""
        return FireSign.events(in: recording).map { event in
            let rows = "rows \(event.rows.lowerBound) to \(event.rows.upperBound - 1)"
            if let sign = event.sign, let column = event.column {
                let ahead = event.rows.lowerBound - sign
                return "\(name), \(rows): first sign in \(recording.columnNames[column]) at row \(sign), "
                    + (ahead >= 0 ? "\(ahead) s before the label." : "\(-ahead) s after the label.")
            }
            var text = "\(name), \(rows): "
            text +=
                event.lacksHistory
                ? "the label is set \(event.rows.lowerBound) s after the recording begins: no past to compare with. "
                : "no sign. "
            if let (column, share) = FireSign.ordinariness(of: event, in: recording) {
                let percent = (share * 1000).rounded() / 10
                text +=
                    "Its rows are ordinary: the column that stands out most, \(column), is as far from its median in "
                    + "\(percent) % of the quiet rows within ten minutes"
                text += share > 0.01 ? "; no sensor shows this label, and no detector can honestly find it." : "."
            }
            return text
        }
    }

    /// A warning for the features that name the recording by themselves.
    private static func identifying(_ table: LabelledTable) -> [String] {
        var numbers: [String: Int] = [:]
        let recordings = table.groups.map { group in
            let number = numbers[group] ?? numbers.count
            numbers[group] = number
            return number
        }
        return IdentifyingColumns.find(rows: table.values, names: table.columnNames, recordings: recordings)
            .map { "Warning: \($0.sentence)" }
    }
}
