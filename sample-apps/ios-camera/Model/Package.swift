// swift-tools-version: 6.0
// What the app decides, without its views: built and tested on Linux too. The
// app itself is made by XcodeGen from project.yml.
import PackageDescription

let package = Package(
  name: "CameraModel",
  platforms: [.iOS(.v17)],
  products: [.library(name: "CameraModel", targets: ["CameraModel"])],
  dependencies: [.package(name: "BigLittle", path: "../../../ios")],
  targets: [
    .target(
      name: "CameraModel", dependencies: [.product(name: "BigLittle", package: "BigLittle")]),
    .testTarget(name: "CameraModelTests", dependencies: ["CameraModel"]),
  ],
  swiftLanguageModes: [.v6]
)
