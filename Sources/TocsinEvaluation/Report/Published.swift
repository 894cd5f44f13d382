/// Published results and floors measured on the same files, to stand beside ours; sources in the data's README.
enum Published {
    typealias Row = SuiteReport.Row

    /// Standard, low FP, low FN over all 58 files; standard on these 30.
    static let nab: [SuiteReport.Row] = [
        ("ARTime", 74.9, 65.2, 80.4, 76.3), ("Numenta HTM", 70.1, 63.1, 74.3, 73.9),
        ("CAD OSE", 69.9, 67.0, 73.2, 68.8), ("htmjava", 65.5, 53.3, 70.4, 69.3),
        ("earthgecko Skyline", 58.2, 46.2, 63.8, 61.8), ("KNN CAD", 58.0, 43.4, 64.8, 59.3),
        ("Relative Entropy", 54.6, 47.6, 58.8, 53.1), ("Random Cut Forest", 51.7, 38.4, 59.7, 48.8),
        ("Twitter ADVec", 47.1, 33.6, 53.5, 45.8), ("Windowed Gaussian", 39.6, 20.9, 47.4, 38.3),
        ("Etsy Skyline", 35.7, 27.1, 44.5, 42.6), ("Bayesian change point", 17.7, 3.2, 32.3, 23.1),
        ("EXPoSE", 16.4, 3.2, 26.9, 13.8),
    ].flatMap { [Row($0.0, "shared 30", [$0.4]), Row($0.0, "all 58", [$0.1, $0.2, $0.3])] }

    /// F1, FAR %, MAR % on the 17 files here.
    static let skab: [SuiteReport.Row] = [
        ("MSET", 0.769, 43.0, 14.4), ("Conv-AE", 0.757, 15.4, 31.1), ("T-squared + Q (PCA)", 0.752, 31.2, 23.5),
        ("LSTM-AE", 0.726, 34.8, 25.9), ("T-squared", 0.626, 17.3, 47.6), ("Vanilla LSTM", 0.500, 14.2, 62.6),
        ("MSCRED", 0.352, 48.7, 70.7), ("Vanilla AE", 0.333, 1.0, 79.8), ("Isolation Forest", 0.272, 1.3, 84.1),
    ].map { Row($0.0, "published", [$0.1, $0.2, $0.3]) }

    static let skabChanges: [SuiteReport.Row] = [
        ("MSCRED", 32.42, 16.53, 40.28, 55.0, 342.0), ("Isolation Forest", 26.16, 19.5, 30.82, 76, 135),
        ("T-squared + Q (PCA)", 25.35, 14.51, 31.33, 72, 232), ("Conv-AE", 23.61, 21.54, 27.55, 82, 23),
        ("LSTM-AE", 23.51, 20.11, 25.91, 88, 69), ("T-squared", 19.54, 10.2, 24.31, 70, 106),
        ("MSET", 13.84, 10.22, 17.37, 96, 66),
    ].map { Row($0.0, "published, 34 files", [$0.1, $0.2, $0.3, $0.4, $0.5]) }

    /// In the columns of the series suites (AUROC, AP, VUS-PR, best F1) or of the classifiers.
    static let series: [String: [SuiteReport.Row]] = [
        "smd": [
            Row("scikit-learn forest", "machine-1-7", [0.699, 0.226, nil, 0.299]),
            Row("scikit-learn forest", "machine-2-4", [0.857, 0.353, nil, 0.375]),
            Row("PCA error", "machine-1-7", [0.805, 0.587, nil, 0.701]),
            Row("PCA error", "machine-2-4", [0.713, 0.339, nil, 0.358]),
            Row("NPSR", "28 machines", [nil, nil, nil, 0.535]),
            Row("OmniAnomaly", "28 machines", [nil, nil, nil, 0.474]),
            Row("TSB-AD PCA", "20 series", [nil, nil, 0.364]), Row("TSB-AD KMeansAD", "20 series", [nil, nil, 0.358]),
            Row("TSB-AD forest", "20 series", [nil, nil, 0.261]),
        ],
        "asd": [
            Row("scikit-learn forest", "omi-4", [0.435, 0.061, nil, 0.119]),
            Row("scikit-learn forest", "omi-12", [0.643, 0.240, nil, 0.340]),
            Row("PCA error", "omi-4", [0.500, 0.107, nil, 0.131]),
            Row("PCA error", "omi-12", [0.704, 0.283, nil, 0.366]),
        ],
        "smap_msl": [
            Row("NPSR", "SMAP, whole", [nil, nil, nil, 0.505]), Row("NPSR", "MSL, whole", [nil, nil, nil, 0.551]),
            Row("simple heuristic", "SMAP, whole", [nil, nil, nil, 0.229]),
            Row("simple heuristic", "MSL, whole", [nil, nil, nil, 0.239]),
        ],
        "ucr": [
            Row("TSB-AD KMeansAD", "70 series", [nil, nil, 0.381]),
            Row("TSB-AD Sub-KNN", "70 series", [nil, nil, 0.366]),
            Row("TSB-AD forest", "70 series", [nil, nil, 0.024]),
        ],
        "wsn": [
            Row("scikit-learn forest", "mote 1", [1.000, nil, nil, 0.991]),
            Row("scikit-learn forest", "mote 4", [0.979, nil, nil, 0.815]),
        ],
        "smoke": [
            Row("scikit-learn forest", "later 30 %", [0.487, 0.651, 0.287]),
            Row("scikit-learn forest", "B to A", [0.0005]),
        ],
        "occupancy": [
            Row("scikit-learn forest", "other days", [0.950, nil, nil, 0.931]),
            Row("scikit-learn forest", "other days, no Light", [0.683, nil, nil, 0.667]),
        ],
    ]

    static let notes: [String: [String]] = [
        "wsn": [
            "Motes 2 and 3 have no event: their AP, VUS-PR and F1 are 0 by convention. Floors were fitted on all rows."
        ],
        "smap_msl": ["Orion's published F1 counts overlapping ranges and is not comparable to point F1."],
    ]

    static let adbench: [SuiteReport.Row] = [
        ("annthyroid", 0.818, 0.016, 0.304), ("cardio", 0.933, 0.009, 0.578), ("pendigits", 0.942, 0.019, 0.263),
        ("satellite", 0.701, 0.019, 0.658), ("satimage-2", 0.994, 0.001, 0.926), ("thyroid", 0.978, 0.004, 0.526),
    ].map { Row("scikit-learn forest", $0.0, [$0.1, $0.2, $0.3]) }

    static let cmapss: [SuiteReport.Row] =
        [
            ("STAR", 10.61, 169.0), ("AGCNN", 12.42, 225), ("DCNN", 12.61, 274), ("BiLSTM", 13.65, 295),
            ("LSTM", 16.14, 338),
            ("ELM", 17.27, 523), ("SVR", 20.96, 1382),
        ].map { Row($0.0, "published", [$0.1, $0.2]) } + [Row("scikit-learn forest", "last row", [17.2, nil, 18.2])]
}
