internal import TocsinCore

/// One column: what it is for, and the ids that its readings get.
struct CSVColumn {
    let role: FieldRole
    let name: MetricName
    /// Has held a number before, or must hold one: then text in it is an error, not metadata.
    var isNumeric: Bool
    var metric: MetricID?
    /// The series of the sensor seen last in this column.
    var sensor: SensorID?
    var series: SeriesID?

    /// The columns of a header under a plan; of several columns of one role the best one keeps it.
    static func columns(_ names: [String], hasHeader: Bool, plan: FieldPlan) -> [CSVColumn] {
        let fields = names.enumerated().map { position, name in
            field(hasHeader ? name : nil, number: position + 1, plan: plan)
        }
        var best: [FieldRole: Int] = [:]
        for (position, field) in fields.enumerated() where field.role != .metric && field.role != .ignore {
            if let other = best[field.role], fields[other].rank <= field.rank { continue }
            best[field.role] = position
        }
        return names.enumerated().map { position, name in
            let field = fields[position]
            let isLoser = field.role != .metric && best[field.role] != position
            let metric = hasHeader ? MetricName(field: name) : MetricName(field: "column\(position + 1)")
            return CSVColumn(role: isLoser ? .ignore : field.role, name: metric, isNumeric: field.isRequired)
        }
    }

    /// The last of the plan's fields that fits the column, by its whole name, its name without unit, or its number.
    private static func field(_ name: String?, number: Int, plan: FieldPlan) -> FieldPlan.Field {
        let whole = name?.lowercased()
        let bare = name.map { MetricName(field: $0).name.lowercased() }
        var byNumber: FieldPlan.Field?
        for field in plan.fields.reversed() {
            let path = field.path.joined(separator: ".").lowercased()
            if path == whole || path == bare { return field }
            if byNumber == nil, path == String(number) { byNumber = field }
        }
        if let byNumber { return byNumber }
        let isMember = plan.metricObjects.contains { object in
            whole?.hasPrefix(object.joined(separator: ".").lowercased() + ".") ?? false
        }
        return FieldPlan.Field(path: [], role: isMember ? .metric : plan.otherFields)
    }
}
