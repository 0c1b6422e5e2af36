{
  "targets": [
    {
      "target_name": "mstar",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "message": "building the addon with CMake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/.always"],
          "action": ["node", "scripts/build-native.mjs"]
        }
      ]
    }
  ]
}
