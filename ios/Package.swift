// swift-tools-version: 6.0
// One manifest for both: on Apple's platforms the core is a binary target; on
// Linux, where the package is tested, it is the host's static library, and
// stand-ins take the place of the frameworks that Linux does not have.
// `ci/ios` makes what is in Generated/ and the xcframework.
import PackageDescription

#if os(Linux)
  let core: [Target] = [
    .systemLibrary(name: "BigLittleFFI", path: "Generated/BigLittleFFI"),
    .target(name: "UIKit", path: "StandIns/UIKit"),
    .target(name: "CoreVideo", path: "StandIns/CoreVideo"),
    .executableTarget(
      name: "BoundaryBenchmark", dependencies: ["BigLittle", "BigLittleBindings"],
      path: "Benchmarks/Boundary"),
  ]
  let frameworks: [Target.Dependency] = ["UIKit", "CoreVideo"]
  let linking: [LinkerSetting] = ["biglittle_ffi", "m", "dl", "pthread"].map { .linkedLibrary($0) }
#else
  let core: [Target] = [
    .binaryTarget(name: "BigLittleFFI", path: "Generated/BigLittleFFI.xcframework")
  ]
  let frameworks: [Target.Dependency] = []
  let linking: [LinkerSetting] = []
#endif

let package = Package(
  name: "BigLittle",
  defaultLocalization: "en",
  platforms: [.iOS(.v16)],
  products: [.library(name: "BigLittle", targets: ["BigLittle"])],
  targets: core + [
    // Written by uniffi-bindgen; an implementation detail of BigLittle.
    .target(
      name: "BigLittleBindings",
      dependencies: ["BigLittleFFI"],
      path: "Generated/BigLittleBindings",
      linkerSettings: linking),
    .target(
      name: "BigLittle",
      dependencies: ["BigLittleBindings"] + frameworks,
      resources: [.copy("PrivacyInfo.xcprivacy")]),
    .testTarget(
      name: "BigLittleTests",
      dependencies: ["BigLittle"] + frameworks),
  ],
  swiftLanguageModes: [.v6]
)
